// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

// attack is a test that reproduces an attack or a fault.
type attack struct {
	// pkg is the test's package and test its name.
	pkg, test string
	// tried describes the attack.
	tried string
}

// named returns the attacks without the name prefix, which belong to make test.
func named() []attack {
	return []attack{
		{"./receiver/taskerevents", "TestSilentSendersShutNobodyOut", "bodies that are announced and do not come, or stall"},
		{"./receiver/taskerevents", "TestSlowSendersAreAnswered", "a body that comes more slowly than write_timeout"},
		{"./receiver/taskerevents", "TestStallingSendersAreCutOff", "connections that say nothing, half a head or half a body"},
		{"./processor/eventrouter", "TestNoSecretLeaves", "secrets in every text of an event, with and without a key"},
		{"./processor/eventrouter", "TestSendersSideBySide", "four senders of the same events, in other batches, to a component that fails"},
		{"./exporter/taskercsv", "TestOnlyFilesAreWritten", "a pipe, a link or a directory in the place of a table or its lock"},
		{"./internal/fsfile", "TestOnlyFilesAreLocked", "a link or a device in the place of a lock file"},
		{"./internal/fsfile", "TestOpen", "links, pipes, sockets and devices in the place of a file"},
		{"./internal/cli/send", "TestSecretsOfTheEndpointStayOut", "secrets in malformed and failing addresses of send"},
		{"./internal/cli/endpoint", "TestErrorsQuoteNoSecret", "secrets in malformed addresses of all commands"},
		{"./internal/cli/send", "TestRetryAfter", "a receiver that asks for a wait of three thousand years"},
		{"./internal/fsfile/boltfile", "TestTheDatabaseOpensWhatPassed", "storage files with bytes, pages and ends that were changed, by the hundred"},
		{"./processor/spanhierarchy", "TestAnyCrashIsAsIfNothingHappened", "crashes and stops at any moment, with a destination that loses what it has in memory"},
		{"./processor/spanhierarchy", "TestRestoreBesideAScrape", "a scrape while the state is brought back"},
		{"./connector/spantometrics", "TestOneSenderCannotFillTheTable", "series of many services, one after the other"},
		{"./connector/spantometrics", "TestStoredStateAboveTheLimitIsCut", "a stored state with more series than the limits allow"},
		{"./connector/spantometrics", "TestDowntimeDoesNotCount", "a collector that is away for longer than series live"},
		{"./connector/spantometrics", "TestReceiversGoOnWhenTheClockIsSetBack", "a clock that is set back by up to 300 days"},
		{"./internal/csvtable", "TestOneApplicationCannotFillTheTable", "series of one application for the table"},
		{"./tests", "TestTwoSendersOfOneStream", "two senders of one stream side by side"},
		{"./tests", "TestIdleConnections", "idle connections by the thousand"},
		{"./tests", "TestFloodStaysWithinMemory", "a flood of large bodies within little memory"},
		{"./tests", "TestFaultyDownstreams", "destinations that are slow, refuse and reset"},
		{"./tests", "TestFullDisk", "a disk that becomes full"},
		{"./tests", "TestKill", "kill -9 while events come"},
		{"./tests", "TestStopUnderLoad", "SIGTERM while events come"},
	}
}
