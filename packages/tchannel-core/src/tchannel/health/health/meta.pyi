from tchannel_thrift.meta import (
    HealthRequest as HealthRequest,
)
from tchannel_thrift.meta import (
    HealthRequestType as HealthRequestType,
)
from tchannel_thrift.meta import (
    HealthState as HealthState,
)
from tchannel_thrift.meta import (
    HealthStatus as HealthStatus,
)
from tchannel_thrift.meta import (
    Meta as Meta,
)
from tchannel_thrift.meta import (
    ThriftIDLs as ThriftIDLs,
)
from tchannel_thrift.meta import (
    VersionInfo as VersionInfo,
)
