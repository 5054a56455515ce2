# The walk of the product page: a dataset's VPC, a customer's VPC, and a peering connection between them.

## create
# A dataset whose write connector is Kafka: its VPC is created and secured.
letsdata datasets create --configFile examples/dataset.json --wait --output table

## nobody
# Nobody has asked to connect yet. The list is looked up on AWS when it is asked for.
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --output table

## gather
# What the customer has to name: vpcId, ownerId and cidrBlock.
letsdata vpcs list --datasetName Clicks --prettyPrint
keep LETSDATA_VPC items.0.vpcId
keep LETSDATA_OWNER items.0.ownerId

## guide
# The same for reading, with the customer's commands ready to copy.
letsdata vpcs list --datasetName Clicks --peeringGuide --output table

## customer
# The customer's own VPC, in account 111122223333, and its main route table.
aws ec2 create-vpc --cidr-block 172.20.0.0/16 --endpoint-url "$SANDBOX_URL"
keep MY_VPC Vpc.VpcId
aws ec2 modify-vpc-attribute --vpc-id "$MY_VPC" --enable-dns-hostnames --endpoint-url "$SANDBOX_URL"
aws ec2 describe-route-tables --filters Name=vpc-id,Values="$MY_VPC" --endpoint-url "$SANDBOX_URL"
keep MY_TABLE RouteTables.0.RouteTableId

## request
# The customer requests the connection.
aws ec2 create-vpc-peering-connection --vpc-id "$MY_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id "$LETSDATA_OWNER" --peer-region us-east-1 --endpoint-url "$SANDBOX_URL"
keep PCX VpcPeeringConnection.VpcPeeringConnectionId

## pending
# It is there, and it is the customer's move.
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --output table

## accept
# Accepted on behalf of #LetsData; done once our routes and rules are set.
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$PCX" --wait --output table

## active
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --prettyPrint

## route
# The customer's side of the way: one route.
aws ec2 create-route --route-table-id "$MY_TABLE" --destination-cidr-block 10.2.0.0/25 --vpc-peering-connection-id "$PCX" --endpoint-url "$SANDBOX_URL"
aws ec2 describe-vpc-peering-connections --vpc-peering-connection-ids "$PCX" --endpoint-url "$SANDBOX_URL"

## accept-again
# Accepting what is active already is refused; nothing changes.
letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId "$PCX"

## delete
# Routes first, then rules, then the connection.
letsdata vpcs vpcPeeringConnections delete --datasetName Clicks --vpcPeeringConnectionId "$PCX" --wait --output table
letsdata vpcs vpcPeeringConnections list --datasetName Clicks --output table

## delete-again
letsdata vpcs vpcPeeringConnections delete --datasetName Clicks --vpcPeeringConnectionId "$PCX"

## delete-dataset
# The dataset goes, its VPC with it, and a request that waits is rejected on the way.
aws ec2 create-vpc-peering-connection --vpc-id "$MY_VPC" --peer-vpc-id "$LETSDATA_VPC" --peer-owner-id "$LETSDATA_OWNER" --endpoint-url "$SANDBOX_URL"
keep WAITING VpcPeeringConnection.VpcPeeringConnectionId
letsdata datasets delete --datasetName Clicks --wait --output table

## afterwards
aws ec2 describe-vpc-peering-connections --vpc-peering-connection-ids "$WAITING" --endpoint-url "$SANDBOX_URL"
letsdata vpcs list --datasetName Clicks --output table
letsdata ranges list --output table
