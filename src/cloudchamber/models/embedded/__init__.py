"""The embedded language model: a small llama in NumPy, in processes of its own, with exact readouts."""
