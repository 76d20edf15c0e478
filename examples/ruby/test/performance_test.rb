# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Queries and memory, without ActiveRecord: ruby test/performance_test.rb

require "minitest/autorun"
require_relative "../tasker_otel_performance"

class PerformanceTest < Minitest::Test
  def setup
    @reported = Thread::Queue.new
    @config = TaskerOtelPerformance::Config.new({})
    @config.sample_rate = 1
    @config.memory_threshold_mb = 1_000_000
    @config.memory_sample_rate = 0
    @monitor = TaskerOtelPerformance::Monitor.new(@config, ->(name, payload) { @reported << [name, payload] })
  end

  def reported = Array.new(@reported.size) { @reported.pop }

  def step(id = 7, task: 42)
    @monitor.heard("step.before_handle", { task_id: task, step_id: id, step_name: "charge" })
    yield
  ensure
    @monitor.heard("step.completed", { task_id: task, step_id: id, step_name: "charge" })
  end

  def query(sql = "SELECT * FROM orders WHERE id = 7", seconds: 0.001, **payload)
    @monitor.queried(seconds, { sql: sql, name: "Order Load", **payload })
  end

  def test_only_within_a_task
    query
    assert_empty reported
    step { query }
    name, payload = reported.fetch(0)
    assert_equal "database.query_executed", name
    assert_equal({ task_id: 42, step_id: 7, step_name: "charge", sql: "SELECT * FROM orders WHERE id = ?", name: "Order Load",
                   duration: 0.001, sampling_rate: 1.0 }, payload)
    query
    assert_empty reported, "the step has ended"
  end

  def test_the_engines_later_announcements_end_nothing_else
    step { nil }
    step(8) do
      @monitor.heard("step.completed", { task_id: 42, step_id: 7 }) # the executor's, of the step before
      query
    end
    assert_equal 8, reported.fetch(0)[1][:step_id]
  end

  def test_a_pass
    @monitor.heard("workflow.task_started", { task_id: 42 })
    query
    @monitor.heard("workflow.task_finalization_completed", { task_id: 42 })
    query
    assert_equal [{ task_id: 42, sql: "SELECT * FROM orders WHERE id = ?", name: "Order Load", duration: 0.001, sampling_rate: 1.0 }],
                 reported.map(&:last)
  end

  def test_what_is_left_out
    step do
      query(cached: true)
      query(name: "SCHEMA")
      query(name: "TRANSACTION")
      ["BEGIN", "SAVEPOINT active_record_1", "PRAGMA table_info(x)", "SHOW search_path", "EXPLAIN SELECT 1", "  COMMIT"].each { |sql| query(sql, name: nil) }
    end
    assert_empty reported
  end

  def test_slow_ones_always
    @config.sample_rate = 0
    @config.max_queries = 1
    step do
      query(seconds: 0.099)
      3.times { query(seconds: 0.1) }
    end
    assert_equal [0.1] * 3, reported.map { |_, payload| payload[:duration] }
    assert_equal 1, @monitor.stats[:sampled_out]
  end

  def test_bounds
    @config.max_queries = 5
    step { 8.times { query } }
    step { 2.times { query } }
    assert_equal 7, reported.size
    assert_equal 3, @monitor.stats[:over_max_queries]
    step { query("SELECT #{"a, " * 100_000} FROM t") }
    assert_operator reported.fetch(0)[1][:sql].bytesize, :<=, @config.max_statement_bytes
  end

  def test_threads_do_not_see_each_other
    Array.new(8) do |i|
      Thread.new { 50.times { |j| step(j, task: i) { query("SELECT #{i} FROM t#{i}") } } }
    end.each(&:join)
    got = reported
    assert_equal 400, got.size
    got.each { |_, payload| assert_equal "SELECT ? FROM t#{payload[:task_id]}", payload[:sql] }
  end

  def test_memory
    @config.memory_threshold_mb = 40
    kept = nil
    step { kept = "x" * 64_000_000 }
    name, payload = reported.fetch(0)
    assert_equal "performance.memory_spike", name
    assert_operator payload[:memory_delta_mb], :>=, 40
    assert_equal "charge", payload[:operation]
    assert_equal 40, payload[:threshold_mb]
    %i[gc_count allocated_objects duration].each { |key| assert_kind_of Numeric, payload[key] }
    assert_equal 64_000_000, kept.size
    step { nil }
    assert_empty reported
    @config.memory_threshold_mb = 0
    step { nil }
    assert_equal 1, reported.size, "0 reports every step"
  end

  # Samples of memory have a rate of their own: that of queries does not touch them.
  def test_memory_samples
    @config.sample_rate = 0
    @config.memory_sample_rate = 1
    step { query }
    name, payload = reported.fetch(0)
    assert_equal "performance.memory_sample", name
    assert_equal({ task_id: 42, step_id: 7, step_name: "charge", operation: "charge", sampling_rate: 1.0 },
                 payload.slice(:task_id, :step_id, :step_name, :operation, :sampling_rate))
    %i[memory_delta_mb gc_count allocated_objects duration].each { |key| assert_kind_of Numeric, payload[key] }
    assert_operator payload[:memory_mb], :>, 1
    assert_empty reported
    @config.sample_rate = 1
    @config.memory_sample_rate = 0
    step { query }
    assert_equal(["database.query_executed"], reported.map(&:first))
    @config.memory_sample_rate = 0.5
    2000.times { step { nil } }
    samples = reported.size
    assert_includes 800..1200, samples
    assert_equal({ steps: 2002, memory_samples: samples + 1, queries: 1, sampled_out: 1 }, @monitor.stats)
  end

  # A step that grows by the threshold is a spike, and no sample besides.
  def test_a_spike_is_no_sample
    @config.memory_sample_rate = 1
    @config.memory_threshold_mb = 40
    kept = nil
    step { kept = "x" * 64_000_000 }
    assert_equal(["performance.memory_spike"], reported.map(&:first))
    assert_equal 64_000_000, kept.size
  end

  def test_mistakes_are_named
    config = TaskerOtelPerformance::Config.new({ "TASKER_OTEL_SQL_SAMPLE_RATE" => "two", "TASKER_OTEL_SLOW_QUERY" => "-1", "TASKER_OTEL_MAX_QUERIES" => "0",
                                                 "TASKER_OTEL_MEMORY_SAMPLE_RATE" => "2" })
    assert_equal ['sample_rate is "two": give a share from 0 to 1', "memory_sample_rate is 2: give a share from 0 to 1", "slow_query is -1: give a number of at least 0",
                  "max_queries is 0: give a whole number of at least 1"], config.mistakes
    assert_empty TaskerOtelPerformance::Config.new({}).mistakes
  end

  def test_a_broken_notification_raises_nothing
    step { @monitor.queried(nil, nil) }
    assert_equal 1, @monitor.stats[:errors]
  end
end

class StatementTest < Minitest::Test
  def plain(sql, **options) = TaskerOtelPerformance::Statement.without_literals(sql, 2000, **options)

  CASES = {
    "SELECT * FROM t WHERE a = 'secret' AND b = 12.5e3" => "SELECT * FROM t WHERE a = ? AND b = ?",
    "SELECT 'it''s', E'a\\'secret', x'ff', N'secret', U&'secret'" => "SELECT ?, ?, ?, ?, ?",
    "SELECT 'C:\\', name FROM t" => "SELECT ?, name FROM t",
    "SELECT $$secret$$, $tag$ it's $$ secret $tag$, $1" => "SELECT ?, ?, $1",
    "SELECT \"col'umn\", \"2fa\", t1.c2 FROM t1" => "SELECT \"col'umn\", \"2fa\", t1.c2 FROM t1",
    "SELECT 1 -- secret\nFROM t /* 'secret */ WHERE a IN (1, 2, 3)" => "SELECT ? FROM t WHERE a IN (?)",
    "SELECT 'never closed secret" => "SELECT ?",
    "SELECT -1, +2, 0xff, .5, a-1, a -1" => "SELECT ?, ?, ?, ?, a-?, a ?",
    "INSERT INTO t VALUES ('a', 1), ('b', 2)" => "INSERT INTO t VALUES (?), (?)"
  }.freeze

  def test_literals
    CASES.each { |sql, want| assert_equal want, plain(sql) }
    assert_equal "SELECT ?, ?, `c` FROM t", plain("SELECT 'a\\'secret', \"secret\\\"s\", `c` FROM t # secret", mysql: true)
  end

  def test_nothing_of_a_text_is_left_wherever_it_is_cut
    sql = "SELECT a FROM t WHERE b = 'SECRET''SECRET' AND c = E'SECRET\\'SECRET' AND d = $x$SECRET$x$ /* SECRET */ OR e = 'SECRET'"
    (1..sql.size).each { |size| refute_match(/SECRET/, plain(sql[0, size])) }
  end

  def test_foreign_encodings
    assert_equal "SELECT ?", plain("SELECT '\xE9'".dup.force_encoding(Encoding::ISO_8859_1))
    assert_equal "SELECT ?", plain("SELECT '\xff'".dup.force_encoding(Encoding::BINARY))
  end
end
