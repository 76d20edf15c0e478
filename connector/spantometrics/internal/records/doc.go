// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package records is the encoding of the connector's state in a journal: the changes of the state in order, one entry per
// batch. A snapshot consists of the changes that build the state from an empty one.
//
// Whoever stores the state owns a Log, which the mutex of the series guards: the order of changes matters. Read has no state.
//
// An entry is a protocol buffers message whose fields are changes that are applied in order. Unknown fields are skipped, so
// that later versions may add fields. Its schema, with fields in any number and order:
//
//	message Entry {
//	  Time time = 1;                // of the changes that follow
//	  Application application = 2;  // of the following series
//	  Metric metric = 3;            // of the following series
//	  Series series = 4;            // a new series, the subject of the following changes
//	  uint64 of = 5;                // ID of the series that is the subject of the following changes
//	  uint64 count = 6;             // increment of a sum
//	  sint64 observe = 7;           // value observed by a histogram
//	  Exemplar exemplar = 8;        // exemplar added to the series
//	  Set set = 9;                  // newer value of the series
//	  Value value = 10;             // accumulated value of the series
//	  fixed64 seen_span = 11;       // span that was measured
//	  fixed64 seen_event = 12;      // event that was measured
//	  ActiveTask active_task = 13;  // new state of a task
//	  ActiveStep active_step = 14;
//	  sint64 started = 15;          // start of the series, if not that of its own message
//	  bytes forget_task = 16;       // task that was removed, with its steps
//	  Step forget_step = 17;
//	  sint64 collect = 18;          // a flush took the values
//	  bool accept = 19;             // the flush was delivered
//	  bool restore = 20;            // the flush was rejected and its values were restored
//	  sint64 accepted = 21;         // time until which deltas were delivered
//	  Identity identity = 22;
//	}
//	message Time { sint64 wall = 1; sint64 running = 2; }
//	message Application { string namespace = 1; string service = 2; bool overflow = 3; }
//	message Metric { string name = 1; fixed64 shape = 2; }
//	message Series { uint64 id = 1; sint64 started = 2; bytes key = 3; repeated string name = 4; bool overflow = 5; }
//	message Exemplar { sint64 value = 1; sint64 at = 2; bytes trace = 3; bytes span = 4; }
//	message Set { sint64 value = 1; sint64 at = 2; }
//	message Value {
//	  sint64 touched = 1; bool pending = 2; bool reported = 3; uint64 count = 4; uint64 high = 5; uint64 low = 6;
//	  sint64 level = 7; sint64 min = 8; sint64 max = 9; repeated uint64 bucket = 10; Exponential exponential = 11;
//	  repeated Exemplar exemplar = 12;
//	}
//	message Exponential { sint64 scale = 1; sint64 offset = 2; uint64 zero_count = 3; repeated uint64 count = 4; }
//	message ActiveTask {
//	  bytes trace = 1; sint64 heard = 3; uint64 state = 4; bool complete = 5; uint64 gauge = 6;
//	  sint64 time = 8 to 12;        // of its events, by kind, relative to the entry's wall time
//	}
//	message ActiveStep { bytes trace = 1; fixed64 step = 2; …; as ActiveTask, without state }
//	message Step { bytes trace = 1; fixed64 step = 2; }
//	message Identity { string instance = 1; bool delta = 2; }
package records
