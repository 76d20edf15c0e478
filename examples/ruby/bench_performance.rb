# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# What TaskerOtelPerformance costs the thread of a step, with ActiveRecord on SQLite in memory: ruby bench_performance.rb [QUERIES]
#
# A step has so many queries (10 unless told otherwise). The time is CPU time of the thread; nothing listens at the collector's
# address, and the thread that would send sleeps. The plan of Tasker allows 2 % of a step of 250 ms and 5 % of one of 5 ms.

require "active_record"
require "socket"
require_relative "tasker_otel_performance"

class Publisher
  Event = Struct.new(:id, :payload)

  def initialize = @blocks = Hash.new { |all, name| all[name] = [] }
  def subscribe(name, &block) = @blocks[name] << block
  def publish(name, payload) = @blocks[name].each { |block| block.call(Event.new(name, payload)) }
end

class Order < ActiveRecord::Base
end

ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: ":memory:")
ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:orders) { |t| t.string :name } }
QUERIES = Integer(ARGV[0] || 10)
STEP = { task_id: 42, step_id: 7, step_name: "charge" }.freeze

def cpu = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID, :nanosecond)

# Microseconds a step, the best of seven.
def per_step(publisher, rounds)
  Array.new(7) do
    GC.start
    began = cpu
    rounds.times do
      publisher.publish("step.before_handle", STEP)
      QUERIES.times { |i| Order.where("name = 'a' AND id = #{i}").limit(1).to_a }
      3.times { publisher.publish("step.completed", STEP) }
    end
    (cpu - began).fdiv(rounds * 1000)
  end.min
end

listener = TCPServer.new("127.0.0.1", 0)
TaskerOtelBridge.define_singleton_method(:event_names) { [] }
TaskerOtelBridge.start(Publisher.new) do |config|
  config.url = "http://127.0.0.1:#{listener.addr[1]}/v1/events"
  config.queue_size = 10_000_000
  config.batch_size = 10_000_000
  config.flush_interval = 3600
end
without = per_step(Publisher.new, 100)
puts format("%d queries a step, Ruby %s: %.0f µs without", QUERIES, RUBY_VERSION, without)
{ "one in ten queries" => 0.1, "every query" => 1 }.each do |label, rate|
  publisher = Publisher.new
  TaskerOtelPerformance.reset!
  TaskerOtelPerformance.start(publisher) { |config| config.sample_rate = rate }
  cost = per_step(publisher, 100) - without
  puts format("%-20s %6.0f µs a step, %.2f %% of 250 ms, %.2f %% of 5 ms", label, cost, cost / 2500, cost / 50)
end
$stdout.flush
Process.exit!(0)
