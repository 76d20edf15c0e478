# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# What TaskerOtelPerformance costs the thread of a step, with ActiveRecord on SQLite in memory: ruby bench_performance.rb [QUERIES]
#
# A step has that many queries (default 10). The time is CPU time of the thread; nothing listens at the collector's
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

# Microseconds a step of one turn.
def turn(publisher, rounds)
  GC.start
  began = cpu
  rounds.times do
    publisher.publish("step.before_handle", STEP)
    QUERIES.times { |i| Order.where("name = 'a' AND id = #{i}").limit(1).to_a }
    3.times { publisher.publish("step.completed", STEP) }
  end
  (cpu - began).fdiv(rounds * 1000)
end

listener = TCPServer.new("127.0.0.1", 0)
TaskerOtelBridge.define_singleton_method(:event_names) { [] }
TaskerOtelBridge.start(Publisher.new) do |config|
  config.url = "http://127.0.0.1:#{listener.addr[1]}/v1/events"
  config.queue_size = 10_000_000
  config.batch_size = 10_000_000
  config.flush_interval = 3600
end
VARIANTS = {
  "nothing" => nil,
  "memory, one step in ten" => { sql: false }, "memory of every step" => { sql: false, memory_sample_rate: 1 },
  "queries, one in ten" => { memory: false }, "both, one in ten" => {}, "both, every one" => { sample_rate: 1, memory_sample_rate: 1 }
}.freeze
# In turns, so that what else the machine does touches all alike; the best turn of each counts.
TURNS = 25
best = Hash.new(Float::INFINITY)
TURNS.times do
  VARIANTS.each do |label, settings|
    publisher = Publisher.new
    TaskerOtelPerformance.reset!
    TaskerOtelPerformance.start(publisher) { |config| settings.each { |key, value| config.public_send(:"#{key}=", value) } } if settings
    best[label] = [best[label], turn(publisher, 60)].min
  end
end
without = best.delete("nothing")
puts format("%d queries a step, Ruby %s: %.0f µs without", QUERIES, RUBY_VERSION, without)
best.each do |label, took|
  cost = took - without
  puts format("%-24s %6.0f µs a step, %.2f %% of 250 ms, %.2f %% of 5 ms", label, cost, cost / 2500, cost / 50)
end
$stdout.flush
Process.exit!(0)
