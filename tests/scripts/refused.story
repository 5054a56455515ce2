# What is refused, and what is said then: the message, what to do, and the exit code.

## configuration
# All that is wrong with a configuration is told at once.
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Clicks", "region": "us-east-1", "customerAccountForAccess": "123",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "huge", "vpcSzie": "small" } }
EOF
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Clicks", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcCidrBlock": "10.4.0.5/25" } }
EOF
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Clicks", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcCidrBlock": "192.168.0.0/25" } }
EOF
letsdata datasets create --configFile - <<EOF
{ "datasetName": "Clicks", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "clusterType": "none" }, "vpcSize": "large", "vpcCidrBlock": "10.4.0.0/25" } }
EOF
letsdata datasets create --configFile nowhere.json

## names
letsdata datasets view --datasetName Clicks
letsdata vpcs list --datasetName Clicks
letsdata dataset list
letsdata datasets view
letsdata vpcs list --apiKey wrong
letsdata vpcs list --url http://127.0.0.1:65530 --apiKey any

## no-vpc
# A dataset that does not write to Kafka needs no VPC and takes no range.
letsdata datasets create --configFile - --output table <<EOF
{ "datasetName": "Archive", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "S3" } }
EOF
letsdata vpcs list --datasetName Archive --output table
letsdata vpcs vpcPeeringConnections list --datasetName Archive

## create
letsdata datasets create --configFile examples/dataset.json --wait --output table
letsdata datasets create --configFile examples/dataset.json
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --output table
letsdata vpcs list --datasetName Clicks --prettyPrint
keep LETSDATA_VPC items.0.vpcId
keep PRIVATE_SUBNET items.0.subnets.0.subnetId

## unknown-connection
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId pcx-12345
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId pcx-0123456789abcdef0

## foreign
# A request from another account than customerAccountForAccess is listed and never accepted.
AWS_ACCESS_KEY_ID=222222222222 aws ec2 create-vpc --cidr-block 172.31.0.0/16 --query Vpc.VpcId --output text --endpoint-url "$SANDBOX_URL"
keep FOREIGN_VPC
AWS_ACCESS_KEY_ID=222222222222 aws ec2 create-vpc-peering-connection --vpc-id "$FOREIGN_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id 999999999999 --query VpcPeeringConnection.VpcPeeringConnectionId --output text --endpoint-url "$SANDBOX_URL"
keep FOREIGN_PCX
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --output table
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$FOREIGN_PCX"

## overlap
# A VPC that overlaps the dataset's range: AWS itself lets the request fail.
aws ec2 create-vpc --cidr-block 10.2.0.0/16 --query Vpc.VpcId --output text --endpoint-url "$SANDBOX_URL"
keep OVERLAPPING_VPC
aws ec2 create-vpc-peering-connection --vpc-id "$OVERLAPPING_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id 999999999999 --query VpcPeeringConnection.VpcPeeringConnectionId --output text --endpoint-url "$SANDBOX_URL"
keep OVERLAPPING_PCX
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$OVERLAPPING_PCX"

## same-range
# Two customer VPCs with the same range: one route leads to one of them only.
aws ec2 create-vpc --cidr-block 172.20.0.0/16 --query Vpc.VpcId --output text --endpoint-url "$SANDBOX_URL"
keep FIRST_VPC
aws ec2 create-vpc-peering-connection --vpc-id "$FIRST_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id 999999999999 --query VpcPeeringConnection.VpcPeeringConnectionId --output text --endpoint-url "$SANDBOX_URL"
keep FIRST_PCX
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$FIRST_PCX" --wait --output table
aws ec2 create-vpc --cidr-block 172.20.128.0/17 --query Vpc.VpcId --output text --endpoint-url "$SANDBOX_URL"
keep SECOND_VPC
aws ec2 create-vpc-peering-connection --vpc-id "$SECOND_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id 999999999999 --query VpcPeeringConnection.VpcPeeringConnectionId --output text --endpoint-url "$SANDBOX_URL"
keep SECOND_PCX
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$SECOND_PCX"

## dns
# The first customer VPC has no DNS hostnames, so AWS allows no private DNS answers over the peering yet.
letsdata datasets view --datasetName Clicks --output table

## blocked-delete
# Something of somebody else's stands in the VPC: the delete waits, and says for what and for whom.
AWS_ACCESS_KEY_ID=999999999999 aws ec2 create-network-interface --subnet-id "$PRIVATE_SUBNET" --description "a leftover test host" --query NetworkInterface.NetworkInterfaceId --output text --endpoint-url "$SANDBOX_URL"
keep LEFTOVER
letsdata datasets delete --datasetName Clicks --wait --timeout 15s
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$SECOND_PCX"

## unblocked
AWS_ACCESS_KEY_ID=999999999999 aws ec2 delete-network-interface --network-interface-id "$LEFTOVER" --endpoint-url "$SANDBOX_URL"
# The same command takes up the waiting.
letsdata datasets delete --datasetName Clicks --wait --output table
letsdata datasets list --output table
