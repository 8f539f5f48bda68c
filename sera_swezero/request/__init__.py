"""What a caller asks for: arguments, checked and settled, and the filters that they name."""
