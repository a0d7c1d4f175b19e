from assistant.settings import read

read({"timeout": "30s"})
