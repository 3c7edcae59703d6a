"""`carrel doctor`: looks the library over, whether it runs or not, and says what is wrong and how to mend it."""
