from assistant.outbox import send
from assistant.server import Server


class SlowLine:
    def __init__(self):
        self.accepted = set()

    def request(self, verb, mail_id, text):
        if mail_id in self.accepted:
            return "duplicate"
        self.accepted.add(mail_id)
        raise TimeoutError("the receipt did not come")


send(Server(SlowLine()), "m-17", "Hello")
