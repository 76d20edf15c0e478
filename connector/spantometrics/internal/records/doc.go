// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package records is the form in which the connector's state is kept in a journal: as the changes that were made to it, in
// the order in which they were made, one entry per batch. A snapshot has the same form: the changes that make the state out
// of nothing.
//
// An entry is a message by the encoding of protocol buffers whose fields are changes and count in the order in which they
// stand. Fields that are not known are passed over, so that a later collector may add some. As a schema, with the entry's
// fields in any number and order:
//
//	message Entry {
//	  Time time = 1;                // of the changes that follow
//	  Application application = 2;  // of the series that follow
//	  Metric metric = 3;            // of the series that follow
//	  Series series = 4;            // a new one, to which what follows belongs
//	  uint64 of = 5;                // the id of the series to which what follows belongs
//	  uint64 count = 6;             // a sum grew by so much
//	  sint64 observe = 7;           // a histogram took a value
//	  Exemplar exemplar = 8;        // the series kept it
//	  Set set = 9;                  // the series has a newer value
//	  Value value = 10;             // all that the series has added up
//	  fixed64 seen_span = 11;       // a span was measured
//	  fixed64 seen_event = 12;      // an event was measured
//	  ActiveTask active_task = 13;  // what has become of a task
//	  ActiveStep active_step = 14;
//	  sint64 started = 15;          // when the series began, if its own message does not say it
//	  bytes forget_task = 16;       // a task was dropped, and its steps
//	  Step forget_step = 17;
//	  sint64 collect = 18;          // a flush took out what there was
//	  bool accept = 19;             // it was delivered
//	  bool restore = 20;            // it was refused: what it took out is back
//	  sint64 accepted = 21;         // until when deltas have been delivered
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
//	  sint64 time = 8 to 12;        // of its events, by kind, as distances from the entry's wall time
//	}
//	message ActiveStep { bytes trace = 1; fixed64 step = 2; …; as ActiveTask, without state }
//	message Step { bytes trace = 1; fixed64 step = 2; }
//	message Identity { string instance = 1; bool delta = 2; }
package records
