"""Any OpenAI-compatible server as a language model: what it can do, is sent, answers and bills."""
