// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package records is the stored form of span_hierarchy's state: the events of open tasks, in the order of their arrival, and
// the releases of tasks, which record what has been passed on. Each batch of either is one entry of a journal.
//
// An entry is in protocol buffers encoding. A later version of the collector adds fields with new numbers: it reads the entries
// of this one, and this one skips unknown fields. As a schema:
//
//	message Entry {
//	  sint64 arrival = 1;             // when the batch arrived: nanoseconds for which the processor had run
//	  repeated Resource resource = 2; // groups refer to them by index
//	  repeated string name = 3;       // events refer to their names by index
//	  repeated Group group = 4;       // the events of one task
//	  repeated Release release = 5;
//	}
//	message Group {
//	  bytes trace = 1;
//	  sint64 last = 2;                // the latest time of an event
//	  sint64 resource = 3;
//	  sint64 count = 4;               // how many events follow
//	  repeated Event event = 5;       // see event.go
//	}
//	message Release {
//	  bytes trace = 1;
//	  sint64 end = 2;                 // events up to here are no longer needed
//	  bytes state = 6;                // the assembler's state of the task
//	  sint64 serial = 7;              // of a task's releases the highest one is valid
//	}
//	message Resource { repeated Attribute attribute = 1; }
package records
