# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

require_relative "tasker_otel_bridge"

# Reports what a Tasker engine does not: the queries of steps, and the memory that steps allocate. Opt in, in addition to the bridge:
#
#   Rails.application.config.after_initialize do
#     TaskerOtelBridge.start
#     TaskerOtelPerformance.start
#   end
#
# Queries are those of ActiveRecord, in the thread that runs a step's handler or a task's pass, and only there. A statement
# leaves the process without its literals. Slow queries are always reported, the rest as a sample; so are steps that allocate much
# memory, and a sample of the rest. README.md documents the settings.
module TaskerOtelPerformance
  # Settings from the environment, overridden by the block of start.
  class Config
    # Whether to report queries and memory.
    attr_accessor :sql, :memory
    # Duration in seconds from which a query is always reported, and the reported share of the others.
    attr_accessor :slow_query, :sample_rate
    # Limits: queries per attempt of a step or per pass, and bytes of a statement.
    attr_accessor :max_queries, :max_statement_bytes
    # Growth of the process in MiB from which a step is always reported (0: every step), and the reported share of the others.
    attr_accessor :memory_threshold_mb, :memory_sample_rate

    def initialize(env = ENV)
      number = TaskerOtelBridge::Config.method(:number)
      @sql = Config.on?(env["TASKER_OTEL_SQL"])
      @memory = Config.on?(env["TASKER_OTEL_MEMORY"])
      @slow_query = number.call(env["TASKER_OTEL_SLOW_QUERY"], 0.1)
      @sample_rate = number.call(env["TASKER_OTEL_SQL_SAMPLE_RATE"], 0.1)
      @max_queries = number.call(env["TASKER_OTEL_MAX_QUERIES"], 200)
      @max_statement_bytes = 2_000
      @memory_threshold_mb = number.call(env["TASKER_OTEL_MEMORY_THRESHOLD_MB"], 100)
      @memory_sample_rate = number.call(env["TASKER_OTEL_MEMORY_SAMPLE_RATE"], 0.1)
    end

    def self.on?(text) = !%w[0 false no off].include?(text.to_s.downcase)

    # The mistakes in the settings, each with value and remedy.
    def mistakes
      wrong = []
      %i[sample_rate memory_sample_rate].each do |key|
        value = public_send(key)
        wrong << "#{key} is #{value.inspect}: give a share from 0 to 1" unless Numeric === value && value.between?(0, 1)
      end
      %i[slow_query memory_threshold_mb].each do |key|
        value = public_send(key)
        wrong << "#{key} is #{value.inspect}: give a number of at least 0" unless Numeric === value && !value.negative?
      end
      %i[max_queries max_statement_bytes].each do |key|
        value = public_send(key)
        wrong << "#{key} is #{value.inspect}: give a whole number of at least 1" unless Integer === value && value.positive?
      end
      wrong
    end
  end

  # A statement without its literals, so that it contains no data.
  module Statement
    NUMBER = /(?<![\w$:@."`])[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\b/
    COMMENT = %r{--[^\n]*|/\*.*?(?:\*/|\z)}m
    # An unterminated quote is a literal to the end.
    QUOTED = /'(?:[^']|'')*(?:'|\z)/m
    ESCAPED = /'(?:[^'\\]|''|\\.)*(?:'|\\?\z)/m
    DOLLARS = /(\$(?:[A-Za-z_]\w*)?\$).*?(?:\1|\z)/m
    NAME = /"(?:[^"]|"")*(?:"|\z)|`(?:[^`]|``)*(?:`|\z)/m
    TEXT_IN_DOUBLE_QUOTES = /"(?:[^"\\]|""|\\.)*(?:"|\\?\z)/m
    LIST = /\(\s*\?(?:\s*,\s*\?)+\s*\)/

    PLAIN = /#{COMMENT}|(?<name>#{NAME})|[eE]#{ESCAPED}|(?:[xXbBnN]|U&)?#{QUOTED}|(?<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:\k<tag>|\z)|(?<number>#{NUMBER})/m
    # MySQL: a backslash escapes, double quotes are strings, # begins a comment.
    MYSQL = /#[^\n]*|#{COMMENT}|(?<name>`(?:[^`]|``)*(?:`|\z))|(?:[xXbBnN])?#{ESCAPED}|#{TEXT_IN_DOUBLE_QUOTES}|(?<number>#{NUMBER})/m

    module_function

    def without_literals(sql, max_bytes, mysql: false)
      # Cut first, because a long INSERT is mostly literals. A literal that the cut leaves open extends to the end.
      sql = sql.byteslice(0, max_bytes * 4).scrub("") if sql.bytesize > max_bytes * 4
      sql = sql.encode(Encoding::UTF_8, invalid: :replace, undef: :replace) unless sql.encoding == Encoding::UTF_8
      sql = sql.scrub unless sql.valid_encoding?
      plain = sql.gsub(mysql ? MYSQL : PLAIN) do |found|
        if $~[:name] then found
        elsif found.start_with?("--", "/*", "#") then " "
        else "?"
        end
      end
      plain = plain.gsub(LIST, "(?)").gsub(/\s+/, " ").strip
      plain.bytesize > max_bytes ? plain.byteslice(0, max_bytes).scrub("") : plain
    end
  end

  # A thread's current work: the task, possibly a step of it, the pass in which the thread runs that step, how many
  # queries it reported, and the memory at the beginning.
  Work = Struct.new(:task_id, :step_id, :step_name, :outer, :queries, :began, :memory, :collections, :allocated)

  # Subscribes to the engine's events and ActiveRecord's notifications. Its only state is thread-local, and counters.
  class Monitor
    KEY = :tasker_otel_performance
    # Statements of Rails, and those unrelated to workflows.
    IGNORED_NAMES = %w[SCHEMA TRANSACTION EXPLAIN].freeze
    IGNORED = /\A\s*(?:SHOW|DESCRIBE|EXPLAIN|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|START\s+TRANSACTION)\b/i
    STEP_BEGINS = "step.before_handle"
    STEP_ENDS = %w[step.completed step.failed step.cancelled].freeze
    PASS_BEGINS = "workflow.task_started"
    PASS_ENDS = %w[workflow.task_finalization_completed task.cancelled].freeze
    PAGE = 4096
    MEGABYTE = 1_048_576.0

    attr_reader :config

    def initialize(config, send = TaskerOtelBridge.method(:publish))
      @config = config
      @send = send
      @mutex = Mutex.new
      @counts = Hash.new(0)
      @rss = File.readable?("/proc/self/statm")
    end

    def stats = @mutex.synchronize { @counts.dup }

    # Events of the engine, in the thread that fires them.
    def heard(name, payload)
      case name
      when STEP_BEGINS then begin_work(payload, step: true)
      when PASS_BEGINS then begin_work(payload, step: false)
      when *STEP_ENDS then end_work(payload, step: true)
      when *PASS_ENDS then end_work(payload, step: false)
      end
    rescue StandardError => e
      failed(e)
    end

    # A notification of ActiveRecord: seconds, and its payload.
    def queried(seconds, payload)
      return unless (work = Thread.current.thread_variable_get(KEY))
      return if payload[:cached] || IGNORED_NAMES.include?(payload[:name])

      sql = payload[:sql].to_s
      return if sql.match?(IGNORED)

      slow = seconds >= @config.slow_query
      return count(:sampled_out) unless slow || rand < @config.sample_rate
      return count(:over_max_queries) if !slow && work.queries >= @config.max_queries

      work.queries += 1
      mysql = /mysql|trilogy/i.match?(payload[:connection].respond_to?(:adapter_name) ? payload[:connection].adapter_name : "")
      report("database.query_executed", work,
             sql: Statement.without_literals(sql, @config.max_statement_bytes, mysql: mysql),
             name: payload[:name], duration: seconds, sampling_rate: slow ? 1.0 : @config.sample_rate.to_f)
      count(:queries)
    rescue StandardError => e
      failed(e)
    end

    private

    def begin_work(payload, step:)
      outer = Thread.current.thread_variable_get(KEY)
      outer = nil unless step && outer && outer.step_id.nil? && outer.task_id == payload[:task_id]
      work = Work.new(payload[:task_id], step ? payload[:step_id] : nil, step ? payload[:step_name] : nil, outer, 0)
      if step && @config.memory
        work.began = now
        work.memory = memory
        work.collections = GC.count
        work.allocated = GC.stat(:total_allocated_objects)
      end
      Thread.current.thread_variable_set(KEY, work)
    end

    # The handler's announcement ends the step's work; the engine's two others have no effect.
    def end_work(payload, step:)
      work = Thread.current.thread_variable_get(KEY)
      return unless work && work.task_id == payload[:task_id] && (step ? work.step_id == payload[:step_id] : work.step_id.nil?)

      Thread.current.thread_variable_set(KEY, work.outer)
      measure(work) if work.began
    end

    def measure(work)
      after = memory
      grown = (after - work.memory) / MEGABYTE
      count(:steps)
      if @config.memory_threshold_mb.zero? || grown >= @config.memory_threshold_mb
        report_memory("performance.memory_spike", work, after, grown, threshold_mb: @config.memory_threshold_mb)
        count(:memory_spikes)
      elsif rand < @config.memory_sample_rate
        report_memory("performance.memory_sample", work, after, grown, sampling_rate: @config.memory_sample_rate.to_f)
        count(:memory_samples)
      end
    end

    def report_memory(name, work, after, grown, **more)
      report(name, work,
             operation: work.step_name, duration: now - work.began, memory_delta_mb: grown.round(3), memory_mb: (after / MEGABYTE).round(3),
             gc_count: GC.count - work.collections, allocated_objects: GC.stat(:total_allocated_objects) - work.allocated, **more)
    end

    def report(name, work, **more)
      @send.call(name, { task_id: work.task_id, step_id: work.step_id, step_name: work.step_name, **more }.compact)
    end

    # Resident bytes of the process on Linux, else those of Ruby's heap.
    def memory
      return Integer(File.read("/proc/self/statm").split[1]) * PAGE if @rss

      GC.stat(:heap_allocated_pages) * GC::INTERNAL_CONSTANTS[:HEAP_PAGE_SIZE]
    end

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def count(key) = @mutex.synchronize { @counts[key] += 1 }

    # Errors here must not affect the application.
    def failed(error)
      count(:errors)
      @said ||= Kernel.warn("TaskerOtelPerformance: #{error.class}: #{error.message}") || true
    end
  end

  class << self
    # Starts reporting. Later calls do nothing. The block receives the settings.
    def start(publisher = ::Tasker::Events::Publisher.instance)
      return self if @monitor

      config = Config.new
      yield config if block_given?
      wrong = config.mistakes
      unless wrong.empty?
        wrong.each { |mistake| Kernel.warn("TaskerOtelPerformance is not started: #{mistake}") }
        return self
      end
      @monitor = Monitor.new(config)
      hear(publisher, @monitor)
      subscribe(@monitor) if config.sql
      self
    end

    # Counts of this process: queries, memory_spikes and memory_samples that were reported, steps that were measured, and queries that were not
    # reported: sampled_out, over_max_queries.
    def stats = @monitor&.stats

    # Stops reporting. For tests: a publisher keeps its subscriptions.
    def reset!
      ActiveSupport::Notifications.unsubscribe(@subscription) if @subscription
      @monitor = @subscription = nil
    end

    private

    def hear(publisher, monitor)
      [Monitor::STEP_BEGINS, Monitor::PASS_BEGINS, *Monitor::STEP_ENDS, *Monitor::PASS_ENDS].each do |name|
        publisher.subscribe(name) { |event| monitor.heard(name, event.payload) }
      rescue StandardError
        nil # this engine never fires it
      end
    end

    def subscribe(monitor)
      return unless defined?(::ActiveSupport::Notifications)

      # The monotonic clock, with ActiveSupport 6.1 and later.
      way = ::ActiveSupport::Notifications.respond_to?(:monotonic_subscribe) ? :monotonic_subscribe : :subscribe
      @subscription = ::ActiveSupport::Notifications.public_send(way, "sql.active_record") do |_name, from, to, _id, payload|
        monitor.queried((to - from).to_f, payload)
      end
    end
  end
end
