"""boto3 on a sandbox: python boto3_walk.py <endpoint>.

Each walk is one function and needs nothing of another. Prints one JSON line for each: its name, and null or
what went wrong. The test beside it, boto3.interop.ts, reads them.
"""

import json
import sys
import time
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
PLATFORM, CUSTOMER = "999999999999", "111122223333"
ONCE = Config(retries={"total_max_attempts": 1})
# The waiters' own delay is 15 s, which a quick sandbox does not need.
SOON = {"Delay": 0.2, "MaxAttempts": 300}


def client(service="ec2", account=PLATFORM, region="us-east-1", secret="test", **more):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key=secret,
        config=ONCE,
        **more,
    )


def refused(code, call, status=400, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        said = error.response
        assert said["Error"]["Code"] == code, f"{said['Error']} instead of {code}"
        assert said["ResponseMetadata"]["HTTPStatusCode"] == status, said["ResponseMetadata"]
        assert said["ResponseMetadata"]["RequestId"], "no request id"
        return said["Error"]["Message"]
    raise AssertionError(f"{code} was expected, and nothing was refused")


def vpc(ec2, block, **tags):
    specification = [{"ResourceType": "vpc", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
    made = ec2.create_vpc(CidrBlock=block, **({"TagSpecifications": specification} if tags else {}))
    ec2.get_waiter("vpc_available").wait(VpcIds=[made["Vpc"]["VpcId"]], WaiterConfig=SOON)
    return made["Vpc"]["VpcId"]


def identity():
    assert client("sts").get_caller_identity()["Account"] == PLATFORM
    role = f"arn:aws:iam::{CUSTOMER}:role/reader"
    lent = client("sts").assume_role(RoleArn=role, RoleSessionName="walk")["Credentials"]
    keys = {"account": lent["AccessKeyId"], "secret": lent["SecretAccessKey"]}
    token = {"aws_session_token": lent["SessionToken"]}
    assert client("sts", **keys, **token).get_caller_identity()["Account"] == CUSTOMER
    refused("AuthFailure", client(secret="wrong").describe_vpcs, 401)
    refused("AuthFailure", client(**keys).describe_vpcs, 401)
    refused("SignatureDoesNotMatch", client("sts", secret="wrong").get_caller_identity, 403)


def network_with_waiters():
    ec2 = client(account="300000000001")
    vpc_id = vpc(ec2, "10.40.0.0/16", Name="walk")
    ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc_id], WaiterConfig=SOON)
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    asked = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")
    assert asked["EnableDnsHostnames"] == {"Value": True}, asked
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.40.1.0/24", AvailabilityZoneId="use1-az1")["Subnet"]
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet["SubnetId"]], WaiterConfig=SOON)
    assert subnet["AvailableIpAddressCount"] == 251, subnet
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[gateway], WaiterConfig=SOON)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    wish = {"SubnetId": subnet["SubnetId"], "AllocationId": address, "ClientToken": "walk-1"}
    nat = ec2.create_nat_gateway(**wish)["NatGateway"]
    assert nat["State"] == "pending", nat
    assert ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"] == nat["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat["NatGatewayId"]], WaiterConfig=SOON)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat["NatGatewayId"])
    link = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])["AssociationId"]
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet["SubnetId"])
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc_id)
    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat["NatGatewayId"]], WaiterConfig=SOON)
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [one["State"] for one in routes if "NatGatewayId" in one] == ["blackhole"], routes
    ec2.release_address(AllocationId=address)
    ec2.disassociate_route_table(AssociationId=link)
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc_id)
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc_id])


def pages():
    ec2 = client(account="300000000002")
    made = {vpc(ec2, f"10.{number}.0.0/16") for number in range(100, 112)}
    asked = {"PaginationConfig": {"PageSize": 5}, "Filters": [{"Name": "is-default", "Values": ["false"]}]}
    found = [page["Vpcs"] for page in ec2.get_paginator("describe_vpcs").paginate(**asked)]
    assert [len(page) for page in found] == [5, 5, 2], [len(page) for page in found]
    assert {one["VpcId"] for page in found for one in page} == made
    limited = ec2.get_paginator("describe_vpcs").paginate(PaginationConfig={"MaxItems": 7, "PageSize": 5})
    assert len(limited.build_full_result()["Vpcs"]) == 7
    names = ["describe_route_tables", "describe_network_acls", "describe_security_groups"]
    for name, key in zip(names, ["RouteTables", "NetworkAcls", "SecurityGroups"]):
        all_pages = ec2.get_paginator(name).paginate(PaginationConfig={"PageSize": 5}).build_full_result()
        assert len(all_pages[key]) == 13, (name, len(all_pages[key]))
    refused("InvalidParameterValue", ec2.describe_vpcs, MaxResults=1001)
    refused("InvalidNextToken", ec2.describe_vpcs, NextToken="no such", MaxResults=5)


def filters():
    ec2 = client(account="300000000003")
    one = vpc(ec2, "10.50.0.0/16", Name="blue sky", team="a&<b>")
    two = vpc(ec2, "10.51.0.0/16", Name="blue sea")
    three = vpc(ec2, "10.52.0.0/16", Name="red*")
    is_so = lambda name, *values: {  # noqa: E731
        found["VpcId"] for found in ec2.describe_vpcs(Filters=[{"Name": name, "Values": list(values)}])["Vpcs"]
    }
    assert is_so("tag:Name", "blue*") == {one, two}
    assert is_so("tag:Name", "blue se?") == {two}
    assert is_so("tag:Name", "red\\*") == {three}
    assert is_so("tag:Name", "BLUE*") == set()
    assert is_so("tag-key", "team") == {one}
    assert is_so("tag:team", "a&<b>", "nothing") == {one}
    assert is_so("cidr", "10.51.0.0/16", "10.52.0.0/16") == {two, three}
    assert is_so("cidr-block-association.cidr-block", "10.5?.0.0/16") == {one, two, three}
    refused("InvalidParameterValue", ec2.describe_vpcs, Filters=[{"Name": "colour", "Values": ["blue"]}])


def peering_across_accounts():
    ours, theirs = client(account="300000000004"), client(account="300000000005")
    to, own = vpc(ours, "10.60.0.0/16"), vpc(theirs, "172.22.0.0/16")
    wish = {"VpcId": own, "PeerVpcId": to, "PeerOwnerId": "300000000004"}
    made = theirs.create_vpc_peering_connection(**wish)["VpcPeeringConnection"]
    name = made["VpcPeeringConnectionId"]
    assert made["Status"]["Code"] in ("initiating-request", "pending-acceptance"), made
    assert made["ExpirationTime"] is not None
    for side in ours, theirs:
        waiter = side.get_waiter("vpc_peering_connection_exists")
        waiter.wait(VpcPeeringConnectionIds=[name], WaiterConfig=SOON)
    refused("OperationNotPermitted", theirs.accept_vpc_peering_connection, VpcPeeringConnectionId=name)
    stranger = client(account="300000000006")
    missing = "InvalidVpcPeeringConnectionID.NotFound"
    refused(missing, stranger.accept_vpc_peering_connection, VpcPeeringConnectionId=name)
    ours.accept_vpc_peering_connection(VpcPeeringConnectionId=name)
    active = [{"Name": "status-code", "Values": ["active"]}]
    # There is no waiter for this.
    deadline, seen = time.monotonic() + 60, []
    while not seen and time.monotonic() < deadline:
        time.sleep(0.1)
        seen = theirs.describe_vpc_peering_connections(Filters=active)["VpcPeeringConnections"]
    assert [one["AccepterVpcInfo"]["OwnerId"] for one in seen] == ["300000000004"], seen
    assert seen[0]["RequesterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": "172.22.0.0/16"}], seen
    # Each side has its own tags.
    ours.create_tags(Resources=[name], Tags=[{"Key": "side", "Value": "accepter"}])
    mine = lambda side: side.describe_vpc_peering_connections(  # noqa: E731
        VpcPeeringConnectionIds=[name]
    )["VpcPeeringConnections"][0].get("Tags", [])
    assert mine(ours) == [{"Key": "side", "Value": "accepter"}], mine(ours)
    assert mine(theirs) == [], mine(theirs)
    theirs.delete_vpc_peering_connection(VpcPeeringConnectionId=name)
    waiter = ours.get_waiter("vpc_peering_connection_deleted")
    waiter.wait(VpcPeeringConnectionIds=[name], WaiterConfig=SOON)


def tags():
    ec2 = client(account="300000000007")
    vpc_id = vpc(ec2, "10.70.0.0/16")
    odd = {"empty": "", "lines": "a\r\nb\tc", "umlaut": "Grüße 🌍", "markup": "<&>\"'", "spaces": "  x  "}
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": k, "Value": v} for k, v in odd.items()])
    by_id = [{"Name": "resource-id", "Values": [vpc_id]}]
    kept = {tag["Key"]: tag["Value"] for tag in ec2.describe_tags(Filters=by_id)["Tags"]}
    assert kept == odd, kept
    ec2.delete_tags(Resources=[vpc_id], Tags=[{"Key": "lines"}, {"Key": "markup", "Value": "another"}])
    left = {tag["Key"] for tag in ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["Tags"]}
    assert left == set(odd) - {"lines"}, left
    mine = [{"Key": "aws:mine", "Value": "x"}]
    refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc_id], Tags=mine)
    many = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    refused("TagLimitExceeded", ec2.create_tags, Resources=[vpc_id], Tags=many)


def errors():
    ec2 = client(account="300000000008")
    vpc_id = vpc(ec2, "10.80.0.0/16")
    ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.80.1.0/24")
    refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.80.1.128/25")
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.81.0.0/24")
    refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8")
    refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId="vpc-0123456789abcdef0")
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc_id)
    refused("DryRunOperation", ec2.create_vpc, 412, CidrBlock="10.82.0.0/16", DryRun=True)
    group = {"GroupName": "walk", "Description": "walk", "VpcId": vpc_id}
    group_id = ec2.create_security_group(**group)["GroupId"]
    refused("InvalidGroup.Duplicate", ec2.create_security_group, **group)
    rule = [{"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "10.80.0.0/16"}]}]
    made = ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=rule)["SecurityGroupRules"]
    refused(
        "InvalidPermission.Duplicate",
        ec2.authorize_security_group_ingress,
        GroupId=group_id,
        IpPermissions=rule,
    )
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
    shown = {one["SecurityGroupRuleId"]: one["IsEgress"] for one in rules["SecurityGroupRules"]}
    assert sorted(shown.values()) == [False, True] and shown[made[0]["SecurityGroupRuleId"]] is False, shown
    refused("InvalidAction", ec2.describe_transit_gateways)


def resources():
    """The object interface of boto3, which reads more of an answer than the client does."""
    keys = {"aws_access_key_id": "300000000009", "aws_secret_access_key": "test"}
    ec2 = boto3.resource("ec2", endpoint_url=ENDPOINT, region_name="eu-west-1", config=ONCE, **keys)
    made = ec2.create_vpc(CidrBlock="10.90.0.0/16")
    made.wait_until_available()
    made.create_tags(Tags=[{"Key": "Name", "Value": "object"}])
    subnet = made.create_subnet(CidrBlock="10.90.1.0/24")
    made.reload()
    assert made.tags == [{"Key": "Name", "Value": "object"}], made.tags
    assert [one.id for one in made.subnets.all()] == [subnet.id]
    assert [one.group_name for one in made.security_groups.all()] == ["default"]
    assert subnet.availability_zone.startswith("eu-west-1"), subnet.availability_zone
    subnet.delete()
    made.delete()


WALKS = [
    identity,
    network_with_waiters,
    pages,
    filters,
    peering_across_accounts,
    tags,
    errors,
    resources,
]

for walk in WALKS:
    try:
        walk()
        wrong = None
    except Exception:
        wrong = traceback.format_exc()
    print(json.dumps({"walk": walk.__name__.replace("_", " "), "wrong": wrong}), flush=True)
