# needs packets
# Connections opened from inside the VPC, to prove a connector without a host there.

letsdata datasets create --configFile examples/dataset-kafka.json --wait --output table
letsdata vpcs list --datasetName Orders
keep BROKERS items.0.bootstrapBrokers.scram
echo "$BROKERS" | cut -d, -f1
keep BROKER

## reachable
# The first probe makes its function, which takes a minute or two on AWS. A broker of the dataset's own cluster:
letsdata vpcs probe --datasetName Orders --target "$BROKER" --output table

## no-name
# A name that there is not.
letsdata vpcs probe --datasetName Orders --target broker.invalid:9096 --protocol kafka --output table

## no-route
# A database in a network that nobody has peered.
letsdata vpcs probe --datasetName Orders --target 172.20.1.4:5432 --stageSeconds 1 --output table

## bad-target
# What is no target is refused before anything is made for it.
letsdata vpcs probe --datasetName Orders --target http://172.20.1.4/

## end
letsdata datasets delete --datasetName Orders --wait --output table
