# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# What the bridge costs the thread that publishes an event: ruby bench.rb [FILE.ndjson]
#
# The events of a file (by default, a step's three kinds of payloads) are published again and again; nothing listens at
# the collector's address. The time is CPU time of the publishing thread, against a publisher without subscribers.

require "bigdecimal"
require "json"
require "socket"
require_relative "tasker_otel_bridge"

# A publisher as dry-events has it: a list of blocks for each name.
class Publisher
  Event = Struct.new(:id, :payload)

  def initialize = @blocks = Hash.new { |all, name| all[name] = [] }

  def subscribe(name, &block) = @blocks[name] << block

  def publish(name, payload)
    blocks = @blocks[name]
    return if blocks.empty?

    event = Event.new(name, payload)
    blocks.each { |block| block.call(event) }
  end
end

module Tasker
  module Constants
    module StepEvents
      ALL = %w[step.execution_requested step.before_handle step.completed].each { |n| const_set(n.split(".").last.upcase, n) }
    end
  end
end

events =
  if ARGV[0]
    File.foreach(ARGV[0]).map { |line| JSON.parse(line) }.map { |e| [e["event"], e["payload"].transform_keys(&:to_sym)] }
  else
    Tasker::Constants::StepEvents::ALL.map do |name|
      [name, { task_id: 42, step_id: 7, step_name: "process_payment", started_at: Time.now, completed_at: nil,
               attempt_number: 0, retry_limit: 3, event_type: :started, timestamp: Time.now, task: Object.new,
               execution_duration: BigDecimal("0.25"), step_dependencies: %w[validate_order check_inventory],
               step_inputs: { order_id: 1, items: (1..20).map { |i| { sku: "sku-#{i}", price: BigDecimal("9.99") } } } }]
    end
  end

def cpu = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID, :nanosecond)

def per_event(publisher, events, rounds)
  best = Float::INFINITY
  7.times do
    began = cpu
    rounds.times { events.each { |name, payload| publisher.publish(name, payload) } }
    best = [best, (cpu - began).fdiv(rounds * events.size)].min
    yield
  end
  best / 1000
end

rounds = [9_000 / events.size, 1].max
without = per_event(Publisher.new, events, rounds) { nil }
Thread.current[:tasker_correlation_id] = "tsk_mpv5pc00_fBy8nW"
listener = TCPServer.new("127.0.0.1", 0)
publisher = Publisher.new
names = events.map(&:first).uniq
TaskerOtelBridge.define_singleton_method(:event_names) { names }
TaskerOtelBridge.start(publisher) do |config|
  config.url = "http://127.0.0.1:#{listener.addr[1]}/v1/events"
  config.queue_size = 1_000_000
  config.flush_interval = 3600 # the sending thread sleeps, so that only the publishing one is measured
  config.batch_size = 1_000_000
  config.shutdown_timeout = 0
  config.logger = Object.new.tap { |quiet| quiet.define_singleton_method(:warn) { |_| nil } }
end
with = per_event(publisher, events, rounds) { nil }
puts format("%.2f µs an event in the publishing thread (%.2f without the bridge, %.2f with it; Ruby %s)",
            with - without, without, with, RUBY_VERSION)
$stdout.flush
Process.exit!(0)
