from assistant.sessions import Sessions

sessions = Sessions(lasts=60)
sessions.touch("ada", 0)
sessions.touch("eve", 100)
sessions.expire(120)
