from assistant.paging import pages

pages(["a", "b", "c", "d"], 2)
