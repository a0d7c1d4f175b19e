from assistant.threads import Threads

threads = Threads({"a": "b", "b": "a"})
threads.root("a")
