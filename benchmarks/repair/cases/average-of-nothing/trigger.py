from assistant.ratings import report

report({"search": [4, 5], "calendar": []})
