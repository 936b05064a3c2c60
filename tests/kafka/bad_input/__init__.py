"""What is said, and what goes on, where somebody has given a wrong address or a wrong message."""
