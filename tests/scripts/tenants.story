# Tenants, their keys, and who did what.

## operator
# The first start makes the tenant `default` and the operator's key.
letsdata tenants list --output table
letsdata keys list --operator --output table

## create
# A tenant of its own, with its own networks declared and an admin of its own.
letsdata tenants create --tenantName acme --avoidCidrs 10.20.0.0/16 --tenantRangeLimit 2 --output table
letsdata keys create --tenantName acme --name acme-admin --role admin
keep ADMIN apiKey

## roles
# The admin makes keys that can less. viewer reads, member writes, admin also manages keys.
letsdata keys create --name dashboards --role viewer --apiKey "$ADMIN"
keep VIEWER apiKey
keep VIEWER_ID keyId
letsdata datasets create --configFile examples/dataset.json --apiKey "$VIEWER"
letsdata tenants create --tenantName other --apiKey "$ADMIN"
letsdata datasets create --configFile examples/dataset.json --apiKey "$ADMIN" --wait --output table

## apart
# Another tenant's things are not there, neither by name nor in the address plan.
letsdata datasets list --output table
letsdata datasets view --datasetName Clicks
letsdata datasets view --datasetName Clicks --tenantName default --apiKey "$VIEWER"
letsdata ranges list --apiKey "$VIEWER" --output table
letsdata datasets list --tenantName acme --output table

## profiles
# URL and key under a name, so that they need not be given each time.
letsdata profiles set --name acme --url "$LETSDATA_URL" --apiKey "$VIEWER"
letsdata datasets list --profile acme --output table

## revoke
letsdata keys revoke --tenantName acme --keyId "$VIEWER_ID" --output table
letsdata datasets list --profile acme

## delete
letsdata tenants delete --tenantName acme
letsdata datasets delete --tenantName acme --datasetName Clicks --wait --output table
letsdata tenants delete --tenantName acme
letsdata ranges release --tenantName acme --cidrBlock 10.2.0.0/25 --output table
letsdata tenants delete --tenantName acme --output table

## audit
letsdata audit list --output table
