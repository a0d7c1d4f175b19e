from assistant.plan import read_plan

read_plan('{"steps": ["find the mail", "answer it"]}\n\nLet me know if you need anything else!')
