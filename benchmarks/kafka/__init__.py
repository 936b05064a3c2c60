"""How near to a bare Kafka client the data path comes."""
