from assistant.export import export

export([{"title": "milk"}], "json")
