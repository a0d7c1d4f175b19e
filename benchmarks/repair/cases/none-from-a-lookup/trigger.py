from assistant.contacts import Contacts
from assistant.mailer import address_line

address_line(Contacts([("Ada", "ada@example.org")]), "Eve")
