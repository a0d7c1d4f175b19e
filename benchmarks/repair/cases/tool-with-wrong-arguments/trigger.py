from assistant.tools import Tools



def add_note(text):
    return f"noted: {text}"


tools = Tools()
tools.add("add_note", add_note)
tools.call("add_note", {"text": "milk", "urgent": True})
