from assistant.calendar import events


class Server:
    def get(self, path):
        raise ConnectionResetError(104, "Connection reset by peer")


events(Server(), "2026-02-16")
