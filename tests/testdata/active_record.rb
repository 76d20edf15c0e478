# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Workflows whose steps use ActiveRecord, in forked workers of several threads each, as an application with the bridge and
# TaskerOtelPerformance has them:
#
#   ruby active_record.rb CONNECTION.json URL WORKERS TASKS
#
# CONNECTION.json has ActiveRecord's connection settings. Every worker prints the number of executed statements.

require "active_record"
require "json"
require_relative "../../examples/ruby/tasker_otel_performance"

# A publisher like those of dry-events.
class Publisher
  Event = Struct.new(:id, :payload)

  def initialize = @blocks = Hash.new { |all, name| all[name] = [] }
  def subscribe(name, &block) = @blocks[name] << block
  def publish(name, payload) = @blocks[name].each { |block| block.call(Event.new(name, payload)) }
end

EVENTS = %w[task.start_requested workflow.task_started workflow.steps_execution_started step.execution_requested step.before_handle
            step.completed workflow.steps_execution_completed workflow.task_finalization_started task.completed
            workflow.task_finalization_completed].freeze

class Order < ActiveRecord::Base
end

connection, url, workers, tasks = ARGV
# SQLite's writers wait for each other while holding Ruby's GVL, so each worker has its own file and one connection.
databases = Array.new(Integer(workers)) do |worker|
  JSON.parse(connection).tap { |settings| settings["database"] += worker.to_s if settings["adapter"] == "sqlite3" }
end
ActiveRecord::Schema.verbose = false
databases.uniq.each do |settings|
  ActiveRecord::Base.establish_connection(settings)
  ActiveRecord::Schema.define { create_table(:orders, force: true) { |t| t.string :name and t.integer :amount } }
  ActiveRecord::Base.connection_pool.disconnect!
end

publisher = Publisher.new
TaskerOtelBridge.define_singleton_method(:event_names) { EVENTS }
at_exit do # it runs after the bridge's own
  puts "stats #{JSON.generate(TaskerOtelBridge.stats.merge(performance: TaskerOtelPerformance.stats))}" if $worked
end
TaskerOtelBridge.start(publisher) do |config|
  config.url = url
  config.service = "shop"
  config.shutdown_timeout = 30
end
performance = nil
TaskerOtelPerformance.start(publisher) do |config|
  config.sample_rate = 1
  config.memory_sample_rate = 1
  performance = config
end

# A handler: three statements that are reported, and some that are not.
def work(task_id)
  order = Order.create!(name: "SECRET", amount: task_id) # INSERT, within BEGIN and COMMIT
  Order.cache do
    2.times { Order.where("name = 'SECRET' AND amount = #{task_id}").limit(1).to_a } # SELECT, the second from the cache
  end
  Order.where(id: order.id).update_all("amount = amount + 4711") # UPDATE
  Order.connection.columns("orders") # of the schema
end

def run_task(publisher, task_id)
  fire = ->(name, **more) { publisher.publish(name, { task_id: task_id, task_name: "orders", **more }) }
  fire.call("task.start_requested")
  Order.count # outside of a pass
  fire.call("workflow.task_started")
  2.times do |i|
    step = { step_id: task_id * 10 + i, step_name: "step_#{i}", attempt_number: 0 }
    fire.call("workflow.steps_execution_started", step_count: 1)
    fire.call("step.execution_requested", **step)
    fire.call("step.before_handle", **step)
    work(task_id)
    fire.call("step.completed", **step)
    Order.count # the engine's own, after the handler
    2.times { fire.call("step.completed", **step, attempt_number: 1) }
    fire.call("workflow.steps_execution_completed", processed_count: 1)
  end
  fire.call("workflow.task_finalization_started")
  fire.call("task.completed")
  fire.call("workflow.task_finalization_completed", final_status: "complete")
end

$stdout.sync = true
databases.each_with_index do |settings, worker|
  fork do
    # The memory of each step, in one half of the workers as a spike, in the other as a sample.
    performance.memory_threshold_mb = worker.even? ? 0 : 1_000_000
    ActiveRecord::Base.establish_connection(settings)
    jobs = Thread::Queue.new(Array.new(Integer(tasks)) { |i| worker * 1000 + i + 1 })
    jobs.close
    Array.new(4) do
      Thread.new do
        while (task_id = jobs.pop)
          ActiveRecord::Base.connection_pool.with_connection { run_task(publisher, task_id) }
        end
      end
    end.each(&:join)
    $worked = true
  end
end
Process.waitall
