from assistant.search import titles

titles('[{"title": "Minutes of Monday"}]')
