# A write connector with a Kafka cluster: made, shown, grown, deleted and built again, while its dataset stays.

## create
# The VPC, and in it a cluster of three brokers. On AWS it takes 15 to 60 minutes; the VPC is there after three.
letsdata datasets create --configFile examples/dataset-kafka.json --wait --output table

## view
# Where it stands, where clients begin, and settings for them.
letsdata writeConnectors view --datasetName Orders --clientSnippet --output table

## dry-run
# What a larger one would take and cost, without making it.
cat > larger.json <<'EOF'
{ "datasetName": "Archive", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "vpcSize": "medium",
    "kafka": { "instanceType": "kafka.m7g.large", "brokersPerZone": 2 } } }
EOF
letsdata datasets create --configFile larger.json --dryRun --output table

## refused
# Four brokers in each subnet of a small VPC would leave too few addresses; and this version is in ZooKeeper mode.
cat > toomany.json <<'EOF'
{ "datasetName": "Archive", "region": "us-east-1", "customerAccountForAccess": "111122223333",
  "writeConnector": { "connectorDestination": "Kafka", "kafka": { "brokersPerZone": 4, "version": "3.9.x" } } }
EOF
letsdata datasets create --configFile toomany.json

## grow
# Storage grows, and never shrinks.
letsdata writeConnectors update --datasetName Orders --volumeGiB 50

## stands
# What stands is not built again.
letsdata writeConnectors reinitialize --datasetName Orders

## delete
# Cluster, records and VPC go; the dataset stays.
letsdata writeConnectors delete --datasetName Orders --wait --output table
letsdata datasets list --output table

## reinitialize
# A new, empty one, in the range it had.
letsdata writeConnectors reinitialize --datasetName Orders --wait --output table

## end
letsdata datasets delete --datasetName Orders --wait --output table
