import sys

from tchannel.sync import TChannel

channel = TChannel('report')
response = channel.json('users', 'count', hostport=sys.argv[1]).result()
print 'users:', response.body  # migrate: python-2
