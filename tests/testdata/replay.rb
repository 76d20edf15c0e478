# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Plays a stream of events to the bridge, as a Tasker engine in an application would:
#
#   ruby replay.rb FILE.ndjson URL [WORKERS]
#
# A publisher like those of dry-events fires them with payloads of symbols, times, decimals and a model. With WORKERS, that
# many forked processes fire a part each, after their parent has fired some events. Each process exits normally, without
# calling the bridge, and prints its statistics as the last line.

require "bigdecimal"
require "json"
require "time"
require_relative "../../examples/ruby/tasker_otel_bridge"

module Tasker
  module Constants
    module AllEvents
    end
  end

  module Events
    # Events by name, for the subscribers of that name; a name must be registered.
    class Publisher
      Event = Struct.new(:id, :payload)

      def self.instance = @instance ||= new

      def register_event(name) = blocks[name] ||= []

      def subscribe(name, &block) = blocks.fetch(name) << block

      def publish(name, payload) = blocks.fetch(name).each { |block| block.call(Event.new(name, payload)) }

      private

      def blocks = @blocks ||= {}
    end
  end

  # A model, whose to_json must not be called.
  class Task
    attr_reader :id

    def initialize(id) = @id = id
    def to_key = [id]
    def to_json(*) = raise("a query")
    alias as_json to_json
  end
end

NAMES = { "event_type" => :to_sym.to_proc, "processing_mode" => :to_sym.to_proc }.freeze

# The payload with the engine's types.
def real(payload)
  payload.to_h do |key, value|
    value = NAMES[key].call(value) if NAMES[key] && value
    value = Time.iso8601(value) if %w[timestamp started_at completed_at].include?(key) && value
    value = BigDecimal(value) if key == "completion_percentage" && value
    [key.to_sym, value]
  end.merge(task: Tasker::Task.new(payload["task_id"]))
end

def nanoseconds(text)
  time = Time.iso8601(text)
  time.to_i * 1_000_000_000 + time.nsec
end

file, url, workers = ARGV
pause = Float(ENV.fetch("REPLAY_PAUSE", 0)) # seconds after each 250 events
$stdout.sync = true
lines = File.foreach(file).map { |line| JSON.parse(line) }
publisher = Tasker::Events::Publisher.instance
lines.map { |line| line["event"] }.uniq.each_with_index do |name, i|
  Tasker::Constants::AllEvents.const_set("E#{i}", name)
  publisher.register_event(name)
end

at_exit { puts "stats #{JSON.generate(TaskerOtelBridge.stats)}" } # runs after the bridge's own
TaskerOtelBridge.start do |config|
  config.url = url
  config.service = lines.first["service"]
  config.clock = -> { Thread.current[:at] } # the stream's times, not those of this replay
  config.flush_interval = 0.05
  config.batch_size = 100
  config.shutdown_timeout = 30
end

fire = lambda do |part|
  part.each_with_index do |line, i|
    sleep(pause) if (i % 250).zero?
    puts "fired #{i}" if (i % 500).zero?
    Thread.current[:at] = nanoseconds(line["occurred_at"])
    Thread.current[:tasker_correlation_id] = line["correlation_id"]
    publisher.publish(line["event"], real(line["payload"]))
  end
  puts "published #{part.size}"
end

if workers
  shares = lines.each_with_index.group_by { |_, i| i % (workers.to_i + 1) }.values.map { |share| share.map(&:first) }
  fire.call(shares.shift)
  shares.each { |share| fork { fire.call(share) } }
  Process.waitall
else
  fire.call(lines)
end
