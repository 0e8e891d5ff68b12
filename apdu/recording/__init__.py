"""Sessions with a card as text, without anybody in it: recorded and replayed."""
