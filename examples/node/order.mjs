// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// A task of one step, as an application in Node would announce it: node order.mjs

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { taskerEvents } from './tasker-events.mjs';

const events = taskerEvents({ service: 'shop' });
const task = { task_id: randomUUID(), task_name: 'process_order' };
const step = { ...task, step_id: 1, step_name: 'process_payment', attempt_number: 0 };

events.emit('task.start_requested', { ...task, step_count: 1 });
events.emit('observability.task.enqueue', task);
await sleep(100);
events.emit('observability.task.enqueue', { ...task, job_id: randomUUID(), queue_name: 'default', attempt: 1 });
events.emit('workflow.task_started', task);
events.emit('workflow.steps_execution_started', { ...task, step_count: 1, processing_mode: 'concurrent' });
events.emit('step.execution_requested', step);
events.emit('step.before_handle', step);
await sleep(250);
events.emit('step.completed', step);
events.emit('workflow.steps_execution_completed', { ...task, processed_count: 1, successful_count: 1 });
events.emit('workflow.task_finalization_started', task);
events.emit('task.completed', task);
events.emit('workflow.task_finalization_completed', { ...task, final_status: 'complete' });

await events.shutdown();
console.log(`task ${task.task_id}`);
