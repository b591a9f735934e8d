#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# Lets the parser of Munin's master read what a plugin printed, and tells what
# the master, or its documentation, would object to.
#
#	munin-master-parse.pl PLUGIN CONFIG [FETCH]
#
# CONFIG and FETCH are files with the plugin's output; without FETCH the values
# are in CONFIG (dirtyconfig).  One finding a line; exit code 0 without any, 1
# with, 77 where the master is not installed.
use strict;
use warnings;

my @missing = grep { !eval "require $_; 1" }
    qw(Log::Log4perl Munin::Master::Node);
if (@missing) {
    print "not installed: @missing\n";
    exit 77;
}

my ($plugin, $config_file, $fetch_file) = @ARGV;
die "usage: munin-master-parse.pl PLUGIN CONFIG [FETCH]\n"
    unless defined $config_file;

my $number = qr/[-+]?(?:\d+\.?\d*|\.\d+)/;
my $limit  = qr/$number|$number:|:$number|$number:$number/;
my %wanted_value = (
    DERIVE => qr/^(?:U|\d+)$/,
    GAUGE  => qr/^(?:U|\d+(?:\.\d+)?)$/,
);
my @findings;

sub find { push @findings, "@_"; return }

sub lines_of {
    my ($name) = @_;
    open my $file, '<', $name or die "$name: $!\n";
    chomp(my @lines = <$file>);
    return \@lines;
}

# The master maps bad names to good ones without a word.
sub check_names {
    for (map { @$_ } @_) {
        find("bad field name: $_")
            if /^([^\s.]+)\.\S/ && $1 !~ /^[A-Za-z_][A-Za-z0-9_]*$/;
        find("not printable: $_") if /[^ -~]/;
    }
    return;
}

sub check_graph {
    my ($graph) = @_;
    for (qw(graph_title graph_args graph_vlabel graph_info)) {
        find("no $_") unless $graph->{$_};
    }
    find("no well-known graph_category")
        unless ($graph->{graph_category} || '') =~ /^(?:memory|processes)$/;
    return;
}

sub check_field {
    my ($name, $fields) = @_;
    my $field = $fields->{$name};
    find("$name: no label")           unless $field->{label};
    find("$name: no info")            unless $field->{info};
    find("$name: a max loses peaks")  if exists $field->{max};
    find("$name: no min 0")           unless ($field->{min} // '') eq '0';
    find("$name: no known type")
        unless $wanted_value{ $field->{type} // '' };
    find("$name: nothing to draw below it")
        if $field->{negative} && !$fields->{ $field->{negative} };
    for (qw(warning critical)) {
        find("$name: $_ would be 0:0")
            if exists $field->{$_}
            && $field->{$_} !~ /^(?:$limit)$/;
    }
    return;
}

sub check_value {
    my ($name, $type, $values) = @_;
    find("$name: not one value") unless @{ $values || [] } == 1;
    for (@{ $values || [] }) {
        find("$name: bad value $_") unless $_ =~ $wanted_value{$type};
    }
    return;
}

Log::Log4perl->init(\<<'LOG');
log4perl.rootLogger = WARN, kept
log4perl.appender.kept = Log::Log4perl::Appender::String
log4perl.appender.kept.layout = Log::Log4perl::Layout::SimpleLayout
LOG

my $node   = Munin::Master::Node->new('127.0.0.1', 4949, 'host', {});
my $config_lines = lines_of($config_file);
my $fetch_lines  = defined $fetch_file ? lines_of($fetch_file) : undef;
check_names($config_lines, $fetch_lines || []);

my %config = $node->parse_service_config($plugin, $config_lines);
my %data   = $node->parse_service_data($plugin, $fetch_lines || []);
my %graph  = map { @$_ } @{ $config{global}{$plugin} };
my $fields = $config{data_source}{$plugin};
my $values = defined $fetch_file ? $data{$plugin} : $fields;

check_graph(\%graph);
find("no field") unless %$fields;
for (sort keys %$fields) {
    check_field($_, $fields);
    check_value($_, $fields->{$_}{type} // 'GAUGE', $values->{$_}{value});
}
for (sort keys %$values) {
    find("$_: fetched, but not in config") unless $fields->{$_};
}
my $log = Log::Log4perl->appender_by_name('kept')->string;
find("master: $_") for split /\n/, $log;

print "$_\n" for @findings;
exit(@findings ? 1 : 0);
