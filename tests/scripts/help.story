# Help, as the product page shows it; names are camelCase, and kebab-case is understood too.

## letsdata
letsdata --help

## vpcs
letsdata vpcs --help

## vpcs-list
letsdata vpcs list --help

## list
letsdata vpcs vpcPeeringConnections list --help

## accept
letsdata vpcs vpcPeeringConnections accept --help

## delete
letsdata vpcs vpcPeeringConnections delete --help

## kebab
diff <(letsdata vpcs vpcPeeringConnections accept --help) <(letsdata vpcs vpc-peering-connections accept --help)
letsdata vpcs list --dataset-name Clicks
letsdata vpcs vpcPeeringConections list
letsdata vpcs list --datasetname Clicks
