"""One small company for the tests of access: its policy, its people and its rooms."""

from bot.access.policy import Policy, parse_policy
from bot.types import Principal, Room

TEXT = """\
version: 1
tenants: {slack: [T0HOME], teams: [0d0c2f6e-1111-4222-8333-444455556666]}
labels: [company, filings, sap, maintenance, hr]
roles:
  everyone:
    applies_to: members
    read: [company]
    tools: [search_documents, summarize]
  finance:
    members:
      - slack-group:S0FIN
      - slack-user:T0HOME/U0CARLA
      - entra-group:7f1c0000-1111-4222-8333-444455556666
    read: [filings, sap]
    tools: [write_code]
    limits: {per_minute: 5, per_day: 900}
  operations: {members: [slack-group:S0OPS], read: [maintenance], limits: {per_minute: 10, per_day: 500}}
rooms:
  slack:T0HOME/C0FIN: {ceiling: [filings, company]}
  slack:T0HOME/C0OPS: {reply: threads}
tests:
  - {as: slack-user:T0HOME/U0CARLA, can_read: [filings, company], cannot_read: [maintenance]}
  - {as: slack-user:T0HOME/U0FIONA, groups: [slack-group:S0FIN], in: slack:T0HOME/C0FIN, can_read: [filings]}
  - {as: slack-user:T0HOME/U0FIONA, groups: [slack-group:S0FIN], in: slack:T0HOME/C0OPS, cannot_read: [filings]}
  - {as: slack-user:T0HOME/U0GUEST, kind: guest, cannot_read: [company]}
"""

TENANT = "0d0c2f6e-1111-4222-8333-444455556666"
POLICY: Policy = parse_policy(TEXT)

FIONA = Principal("slack", "T0HOME", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))
CARLA = Principal("slack", "T0HOME", "U0CARLA")
OSKAR = Principal("slack", "T0HOME", "U0OSKAR", groups=frozenset({"slack-group:S0OPS"}))
BOTH = Principal("slack", "T0HOME", "U0BOTH", groups=frozenset({"slack-group:S0OPS", "slack-group:S0FIN"}))
PLAIN = Principal("slack", "T0HOME", "U0PLAIN")
GUEST = Principal("slack", "T0HOME", "U0GUEST", "guest", frozenset({"slack-group:S0FIN"}))
EXTERNAL = Principal("slack", "T0HOME", "U0EXTERNAL", "external", frozenset({"slack-group:S0FIN"}))
ROBOT = Principal("slack", "T0HOME", "U0BOT", "bot", frozenset({"slack-group:S0FIN"}))
GONE = Principal("slack", "T0HOME", "U0GONE", groups=frozenset({"slack-group:S0FIN"}), active=False)
FOREIGN = Principal("slack", "T0OTHER", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))

FINANCE = Room("slack", "T0HOME", "C0FIN", "private")
OPERATIONS = Room("slack", "T0HOME", "C0OPS", "private")
ALL = Room("slack", "T0HOME", "C0ALL", "public")
SHARED = Room("slack", "T0HOME", "C0SHARED", "external")
DIRECT = Room("slack", "T0HOME", "D0FIONA", "direct")
