"""What the Apache Thrift compiler makes of ``everything.thrift``; made by generate_data.sh."""
