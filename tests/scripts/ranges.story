# IP address management: three sizes, the address plan, a range of one's own choice, networks to keep away from,
# and the rest of a freed range.

## before
letsdata ranges list --output table

## avoid
# The customer's own networks, declared before anything exists: no dataset will overlap them.
letsdata tenants update --tenantName default --avoidCidrs 10.2.0.0/16,10.3.0.0/16 --output table

## sizes
# One dataset of each size. The answer comes at once; the VPC is made in the background.
letsdata datasets create --configFile - --output table <<EOF
{ "datasetName": "Clicks", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "small" } }
EOF
letsdata datasets create --configFile - --output table <<EOF
{ "datasetName": "Views", "region": "eu-west-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "medium" } }
EOF
letsdata datasets create --configFile - --output table <<EOF
{ "datasetName": "Orders", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "large" } }
EOF

## plan
letsdata ranges list --output table

## choice-refused
# A range of one's own choice is refused where something else lies, and the nearest free ones are named.
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Events", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "medium", "vpcCidrBlock": "10.4.0.0/23" } }
EOF
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Events", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "medium", "vpcCidrBlock": "10.3.8.0/23" } }
EOF

## choice
letsdata datasets create --configFile - --wait --output table <<EOF
{ "datasetName": "Events", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "medium", "vpcCidrBlock": "10.60.0.0/23" } }
EOF
letsdata tenants view --tenantName default --output table

## nobody
letsdata vpcs vpcPeeringConnections list --datasetName Events --output table

## subnets
# What a medium one looks like inside.
letsdata vpcs list --datasetName Events --output table

## quarantine
# A freed range rests before anybody gets it again.
letsdata datasets delete --datasetName Events --wait --output table
letsdata ranges view --cidrBlock 10.60.0.0/21 --output table

## release
# The operator may end the rest.
letsdata ranges release --cidrBlock 10.60.0.0/23 --output table

## release-again
letsdata ranges release --cidrBlock 10.60.0.0/23

## settings
letsdata settings view --prettyPrint
letsdata settings update --quarantineSeconds 86400 --output table
letsdata settings update --addressSpace 10.0.0.0/8,100.64.0.0/10 --output table
