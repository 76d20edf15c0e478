// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Tasker's events as OTLP log records: the event's name is the record's event name, each payload key an attribute.

import { context } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

/**
 * @param {object} options
 * @param {string} options.service the application's name; with a namespace, what makes task ids unique
 * @param {string} [options.namespace]
 * @param {string} [options.url] by default OTEL_EXPORTER_OTLP_ENDPOINT + /v1/logs, or http://localhost:4318/v1/logs
 * @param {number} [options.maxQueueSize] records that may wait; the SDK drops what is more
 */
export function taskerEvents({ service, namespace, url, maxQueueSize = 10_000 }) {
  const resource = { 'service.name': service };
  if (namespace) resource['service.namespace'] = namespace;
  const provider = new LoggerProvider({
    resource: resourceFromAttributes(resource),
    processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url }), maxQueueSize })],
  });
  const logger = provider.getLogger('tasker.events');

  return {
    /**
     * @param {string} name such as "step.completed"; a leading "tasker." does no harm
     * @param {object} payload task_id, step_name, …
     * @param {object} [more]
     * @param {Date|[number, number]} [more.at] when it happened: a Date, or seconds and nanoseconds
     * @param {string} [more.correlationId]
     * @param {string} [more.id] makes an event that is sent again count once
     */
    emit(name, payload, { at, correlationId, id } = {}) {
      const attributes = {};
      for (const [key, value] of Object.entries(payload)) {
        if (value !== null && value !== undefined) attributes[`tasker.${key}`] = value;
      }
      if (correlationId) attributes['tasker.correlation_id'] ??= correlationId;
      if (id) attributes['tasker.event_id'] = id;
      logger.emit({ eventName: name, timestamp: at ?? new Date(), attributes, context: context.active() });
    },
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
}
