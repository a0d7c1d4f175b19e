from assistant.inbox import unread_subjects


class Server:
    def fetch(self):
        raise TimeoutError("no answer from the mail server")


unread_subjects(Server())
