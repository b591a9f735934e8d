#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# ranges.pl make COUNT: questions for tests/tools/ranges.c, always the same
# ranges.pl judge <QUESTIONS: what Perl's Monitoring::Plugin makes of them
use strict;
use warnings;

my @numbers = qw(0 1 2 5 7 9.999 10 10.5 100 0.1 0.25 1.001 99.9 1000000 007
    -1 -0 -0.5 -10 -7.25);
my @odd = ('', '.5', '5.', '-.5', '1e1', '1E2', '0x10', '10%', '10s', 'abc',
    '+5', '--5', '-', '1.2.3', '1.2345', ' 5', '5 ', '1 0', '1_0', '1,5', 'inf',
    'nan', '~', '@', ':', '0.0001', '99999999999999999999');

sub pick { my ($list) = @_; return $list->[ rand @$list ] }

sub number {
    return rand() < 0.15 ? pick(\@odd)
        : rand() < 0.6   ? pick(\@numbers)
        :                  sprintf('%.' . int(rand 4) . 'f', rand(40) - 10);
}

sub range {
    my $end = rand() < 0.2 ? '' : number();
    my $start = rand() < 0.2 ? '~' : rand() < 0.2 ? '' : number();
    my $range = rand() < 0.3 ? $end : "$start:$end";

    $range .= pick(\@odd) if rand() < 0.03;
    return (rand() < 0.3 ? '@' : '') . $range;
}

# Values on the edges of the range, and beside them, count most.
sub values_for {
    my ($range) = @_;
    my @values = map { sprintf '%.3f', rand(40) - 15 } 1 .. 4;

    for my $edge ($range =~ /-?\d+(?:\.\d+)?/g) {
        next if abs($edge) > 1e9;
        push @values, map { sprintf '%.3f', $edge + $_ } -0.001, 0, 0.001;
    }
    return @values, 0, 1000000;
}

sub make {
    my ($count) = @_;

    srand 4711;
    for (1 .. $count) {
        my $range = range();

        print join("\t", $range, values_for($range)), "\t\n";
    }
    return;
}

sub judge {
    require Monitoring::Plugin::Range;
    local $SIG{__WARN__} = sub { };    # it warns of what is invalid
    while (my $line = <STDIN>) {
        chomp $line;
        my ($text, @values) = split /\t/, $line;
        my $range = Monitoring::Plugin::Range->parse_range_string($text);

        print defined $range
            ? join('', map { $range->check_range($_) ? 1 : 0 } @values)
            : 'invalid', "\n";
    }
    return;
}

my $what = shift // '';
$what eq 'make' ? make(@ARGV) : $what eq 'judge' ? judge() : die "make or judge?\n";
