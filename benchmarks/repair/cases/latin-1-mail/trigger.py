from assistant.mails import body_text

body_text({"Content-Type": 'text/plain; charset="iso-8859-1"'}, "Grüße aus Köln".encode("latin-1"))
