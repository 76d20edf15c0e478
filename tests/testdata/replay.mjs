// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Plays a stream of events through the OpenTelemetry SDK: node replay.mjs FILE.ndjson URL

import { readFileSync } from 'node:fs';
import { taskerEvents } from '../../examples/node/tasker-events.mjs';

const [file, url] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const events = taskerEvents({ service: lines[0].service, url });
for (const line of lines) {
  const [, fraction] = /\.(\d+)Z$/.exec(line.occurred_at);
  const at = [Math.floor(Date.parse(line.occurred_at) / 1000), Number(fraction.padEnd(9, '0'))];
  events.emit(`tasker.${line.event}`, line.payload, { at, correlationId: line.correlation_id });
}
await events.shutdown();
console.log(`emitted ${lines.length}`);
