from assistant.gateway import summarise


class Gateway:
    def post(self, path, text):
        return 503, "Service Unavailable"


summarise(Gateway(), "a long mail")
