"""What is built from streams of market data: order books and bars."""
