"""Rows of chats in the form of OpenAI's API: OpenHands' and one's own."""
