# The resources that terraform-aws-modules/vpc v5 makes of three zones with a NAT gateway each, its defaults for
# the default group, ACL and table among them, and a peering with a VPC of another account. Written out, because
# the module's registry is not reached from everywhere, and in words that Terraform 0.11 with provider 1.60 reads
# too, but for an address's `domain`, which was `vpc = true` then.
variable "endpoint" {}

variable "zones" {
  default = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "999999999999"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    ec2 = "${var.endpoint}"
    sts = "${var.endpoint}"
  }
}

provider "aws" {
  alias                       = "customer"
  region                      = "us-east-1"
  access_key                  = "111122223333"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    ec2 = "${var.endpoint}"
    sts = "${var.endpoint}"
  }
}

resource "aws_vpc" "this" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
  tags = {
    Name = "interop & <three> zones"
  }
}

resource "aws_default_security_group" "this" {
  vpc_id = "${aws_vpc.this.id}"
  tags = {
    Name = "interop-default"
  }
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = "${aws_vpc.this.default_network_acl_id}"
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
  ingress {
    rule_no         = 101
    action          = "allow"
    protocol        = "-1"
    from_port       = 0
    to_port         = 0
    ipv6_cidr_block = "::/0"
  }
  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
  egress {
    rule_no         = 101
    action          = "allow"
    protocol        = "-1"
    from_port       = 0
    to_port         = 0
    ipv6_cidr_block = "::/0"
  }
  tags = {
    Name = "interop-default"
  }
  lifecycle {
    ignore_changes = ["subnet_ids"]
  }
}

resource "aws_default_route_table" "this" {
  default_route_table_id = "${aws_vpc.this.default_route_table_id}"
  tags = {
    Name = "interop-default"
  }
}

resource "aws_subnet" "public" {
  count             = 3
  vpc_id            = "${aws_vpc.this.id}"
  cidr_block        = "${cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)}"
  availability_zone = "${element(var.zones, count.index)}"
  tags = {
    Name = "interop-public-${count.index}"
  }
}

resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = "${aws_vpc.this.id}"
  cidr_block        = "${cidrsubnet(aws_vpc.this.cidr_block, 8, 10 + count.index)}"
  availability_zone = "${element(var.zones, count.index)}"
  tags = {
    Name = "interop-private-${count.index}"
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = "${aws_vpc.this.id}"
  tags = {
    Name = "interop"
  }
}

resource "aws_eip" "nat" {
  count      = 3
  domain     = "vpc"
  depends_on = ["aws_internet_gateway.this"]
  tags = {
    Name = "interop-${count.index}"
  }
}

resource "aws_nat_gateway" "this" {
  count         = 3
  allocation_id = "${element(aws_eip.nat.*.id, count.index)}"
  subnet_id     = "${element(aws_subnet.public.*.id, count.index)}"
  depends_on    = ["aws_internet_gateway.this"]
  tags = {
    Name = "interop-${count.index}"
  }
}

resource "aws_route_table" "public" {
  vpc_id = "${aws_vpc.this.id}"
  tags = {
    Name = "interop-public"
  }
}

resource "aws_route" "public" {
  route_table_id         = "${aws_route_table.public.id}"
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = "${aws_internet_gateway.this.id}"
}

resource "aws_route_table_association" "public" {
  count          = 3
  subnet_id      = "${element(aws_subnet.public.*.id, count.index)}"
  route_table_id = "${aws_route_table.public.id}"
}

resource "aws_route_table" "private" {
  count  = 3
  vpc_id = "${aws_vpc.this.id}"
  tags = {
    Name = "interop-private-${count.index}"
  }
}

resource "aws_route" "private" {
  count                  = 3
  route_table_id         = "${element(aws_route_table.private.*.id, count.index)}"
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = "${element(aws_nat_gateway.this.*.id, count.index)}"
}

resource "aws_route_table_association" "private" {
  count          = 3
  subnet_id      = "${element(aws_subnet.private.*.id, count.index)}"
  route_table_id = "${element(aws_route_table.private.*.id, count.index)}"
}

# The customer's side of a peering, and ours.
resource "aws_vpc" "customer" {
  provider             = "aws.customer"
  cidr_block           = "172.20.0.0/16"
  enable_dns_hostnames = true
  tags = {
    Name = "interop-customer"
  }
}

resource "aws_vpc_peering_connection" "this" {
  provider      = "aws.customer"
  vpc_id        = "${aws_vpc.customer.id}"
  peer_vpc_id   = "${aws_vpc.this.id}"
  peer_owner_id = "999999999999"
  tags = {
    Side = "requester"
  }
}

resource "aws_vpc_peering_connection_accepter" "this" {
  vpc_peering_connection_id = "${aws_vpc_peering_connection.this.id}"
  auto_accept               = true
  tags = {
    Side = "accepter"
  }
}

resource "aws_route" "to_customer" {
  count                     = 3
  route_table_id            = "${element(aws_route_table.private.*.id, count.index)}"
  destination_cidr_block    = "172.20.0.0/16"
  vpc_peering_connection_id = "${aws_vpc_peering_connection_accepter.this.id}"
}

resource "aws_route" "to_platform" {
  provider                  = "aws.customer"
  route_table_id            = "${aws_vpc.customer.main_route_table_id}"
  destination_cidr_block    = "10.20.0.0/16"
  vpc_peering_connection_id = "${aws_vpc_peering_connection_accepter.this.id}"
}
