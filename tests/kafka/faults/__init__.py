"""Something breaks in the middle of the traffic; afterwards every message is counted."""
