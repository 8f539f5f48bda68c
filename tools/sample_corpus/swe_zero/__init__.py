"""SWE-ZERO rows: mini-swe-agent chats in Parquet."""
